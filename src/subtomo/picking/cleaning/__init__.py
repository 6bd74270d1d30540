"""Which picks to keep: filters one after another, with the reason for each pick that goes."""
