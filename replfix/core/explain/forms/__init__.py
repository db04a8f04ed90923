"""Where a message was found: one client or kind of log a file, which knows its marks and what it says beside the message.

A form is a module with ``NAME`` (for people and JSON), ``RANK`` (the lower is asked first) and ``recognise(around)``: a
Context, or None when the text is not of its kind.
"""
