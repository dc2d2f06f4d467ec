"""Files of batches on the object store, and the receipts that name them."""
