"""Lists of rows: search, filters, sorting, paging, selection and export. Each page provides its rows."""
