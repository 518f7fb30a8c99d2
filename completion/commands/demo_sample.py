"""The file that ``caret demo`` completes: ordinary code, held out of every training run."""

import csv
from collections import defaultdict
from pathlib import Path


class Shelf:
    """Books on one shelf, in the order they were put there."""

    def __init__(self, name, capacity=40):
        self.name = name
        self.capacity = capacity
        self.titles = []
        self.years = {}

    def add(self, title, year=None):
        """Put one more book at the end."""
        if len(self.titles) >= self.capacity:
            raise ValueError("shelf %s is full" % self.name)
        self.titles.append(title)
        if year is not None:
            self.years[title] = year
        return self

    def index(self, title):
        """Return where a title stands, or -1."""
        for position in range(len(self.titles)):
            if self.titles[position] == title:
                return position
        return -1

    def remove(self, title):
        """Take a book away; nothing happens when it is not there."""
        if title in self.titles:
            self.titles.remove(title)
            self.years.pop(title, None)

    def __len__(self):
        return len(self.titles)


def by_decade(shelf):
    """Group the titles of a shelf by the decade of their year."""
    decades = defaultdict(list)
    for title, year in shelf.years.items():
        decades[year // 10 * 10].append(title)
    return dict(decades)


def load(path):
    """Read a shelf from a CSV file with the columns title and year."""
    path = Path(path)
    shelf = Shelf(path.stem)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            shelf.add(row["title"], int(row["year"]))
    return shelf
