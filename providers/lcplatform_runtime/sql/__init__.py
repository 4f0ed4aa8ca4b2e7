"""What every data store in PostgreSQL's SQL does alike, whatever stands behind it."""
