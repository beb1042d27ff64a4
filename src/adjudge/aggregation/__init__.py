"""What several raters say together, and how good each of them is; each module has one verb, `aggregate`."""
