"""The HTTP door, put together in `app.py`.

Each request passes `requests`, `authentication` and `limits`, in this order, before a route sees it.
"""
