"""Filing 申报: opening a draft, filling in its form, adding materials, handing in, answering a correction."""
