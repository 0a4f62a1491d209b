"""Lists of rows: searched, filtered, sorted, paged, chosen from and exported; what rows there are, each page says."""
