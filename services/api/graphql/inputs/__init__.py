"""What mutations take, a family of inputs a file. Names are the store's, values go there as is."""
