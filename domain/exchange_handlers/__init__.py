"""How each kind of message is sent: one module per partner, in the words of its port.

The kinds and what a message must hold are said in each module; importing `domain.exchange_handlers.all` registers them.
"""
