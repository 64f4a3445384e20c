"""Images: radiographs, slices, tiles and volumes, with a label and what is known of whose they are."""
