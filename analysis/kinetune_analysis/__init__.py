"""Reads kinetune's result files and draws them. One module a figure family; report.py puts them on one page."""
