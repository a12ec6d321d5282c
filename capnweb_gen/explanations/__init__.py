"""What messages mean, at length: a code for each kind, and a page with a wrong and a right example. Rule: a message is
known by its words, so that whoever says it need not know its code; the tests find one that has no page.
"""

from capnweb_gen.explanations.catalogue import Page, code_of, page_of, pages

__all__ = ["Page", "code_of", "page_of", "pages"]
