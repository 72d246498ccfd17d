"""The networks: one table, one architecture family a file. Keras is imported only when one is built."""
