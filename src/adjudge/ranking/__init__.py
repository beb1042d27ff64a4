"""Who is best, and how sure, from comparisons, scores over tasks and few runs; each module has one verb, `rank`."""
