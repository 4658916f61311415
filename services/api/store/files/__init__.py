"""Files of a library: what is known of them (`known`), and which are gone (`missing`)."""
