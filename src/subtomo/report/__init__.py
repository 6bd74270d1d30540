"""Self-contained HTML reports from text, figures and tables; knows nothing of the field."""

from subtomo.report.report import Report

__all__ = ["Report"]
