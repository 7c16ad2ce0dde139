"""The report that a person reads: one HTML file that needs nothing but a browser."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.validate.html.writing import REPORT_NAME as REPORT_NAME
    from neutone_like.validate.html.writing import write_report as write_report

export_lazily(
    globals(),
    {
        "neutone_like.validate.html.writing": ("REPORT_NAME", "write_report"),
    },
)
