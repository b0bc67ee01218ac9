"""Documents 文书: composed from data, printed to PDF, numbered, locked under their digest, verified by anyone.

    definition.py    one entry under `produced` of a case type's documents.yaml, checked
    placeholder.py   「{applicant_name}」「{land_area_m2:area}」: fields in texts, with formats; no code
    content.py       what a document says, as plain text in a fixed structure; its digest tells when data changed
    form_print.py    the same for the print of a whole form and for the sheet of opinions 审批单
    rendering.py     content to HTML and PDF; preview and final go the same way
    tables.py, issue.py, register.py    the record, the commands on it, what a case has
    verification.py  the public look-up by code or by file
"""
