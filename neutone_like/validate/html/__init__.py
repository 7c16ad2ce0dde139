"""The report that a person reads: one HTML file that needs nothing but a browser."""

from neutone_like.validate.html.writing import REPORT_NAME as REPORT_NAME
from neutone_like.validate.html.writing import write_report as write_report
