"""Relations between columns that every record keeps, because they are restored after sampling and not learned."""
