"""The contact sheet: turns the rows of a batch into one HTML file that works offline."""

from prefect_seedance.reports.sheet.card import Card, cards_of, pictures_in
from prefect_seedance.reports.sheet.page import contact_sheet

__all__ = ["Card", "cards_of", "contact_sheet", "pictures_in"]
