-- A shelf of books; it isn't a "library".
/* A block comment
   with "quotes" and it's fine */
CREATE TABLE authors (
    id INTEGER PRIMARY KEY,
    name VARCHAR(100) NOT NULL DEFAULT 'it''s unknown',
    born DATE
);

CREATE TABLE books (
    id SERIAL PRIMARY KEY,
    title TEXT NOT NULL, -- the "title"
    author_id INTEGER REFERENCES authors (id) ON DELETE CASCADE,
    price NUMERIC(10, 2) DEFAULT 1.5,
    kind TEXT CHECK (kind IN ('paper', 'audio')),
    "quoted column" TEXT,
    UNIQUE (title, author_id)
);

CREATE INDEX books_title ON books (title);

INSERT INTO authors (id, name, born)
VALUES
    (1, 'O''Brien', '1911-10-05'),
    (2, 'Le Guin -- not a comment', NULL),
    (3, '/* nor this */', '1920-01-02');

INSERT INTO books (title, author_id, price)
SELECT 'Collected ' || name, id, 9.99
FROM authors
WHERE born IS NOT NULL;

SELECT
    b.title,
    a.name AS author,
    COUNT(*) AS n,
    SUM(CASE WHEN b.price > 10 THEN 1 ELSE 0 END) AS dear,
    COALESCE(MAX(b.price), 0) / 2 AS half
FROM books AS b
INNER JOIN authors AS a ON a.id = b.author_id
LEFT JOIN authors AS other ON other.name = a.name AND other.id <> a.id
WHERE b.title LIKE '%the%'
    AND (b.price BETWEEN 1 AND 20 OR b.kind = 'paper')
    AND b.author_id IN (SELECT id FROM authors WHERE born < '1950-01-01')
GROUP BY b.title, a.name
HAVING COUNT(*) >= 1
ORDER BY n DESC, b.title ASC
LIMIT 10 OFFSET 5;

WITH recent AS (
    SELECT id, title, price
    FROM books
    WHERE price IS NOT NULL
),
ranked AS (
    SELECT title, price
    FROM recent
)
SELECT title, price
FROM ranked
WHERE price < 5;

UPDATE books
SET price = price * 1.1, title = 'a "quoted" title'
WHERE id = 1;

DELETE FROM books
WHERE title = 'gone';

CREATE VIEW cheap AS
SELECT title, price
FROM books
WHERE price < 5.00;

ALTER TABLE books ADD COLUMN pages INTEGER;

SELECT DISTINCT kind
FROM books
UNION ALL
SELECT 'none';

SELECT
    title,
    'a string
over two lines' AS long_text,
    CAST(price AS INTEGER) AS whole
FROM books;

SELECT COUNT(*) FROM books WHERE title = '' OR title IS NULL;

CREATE TABLE tags (
    book_id INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (book_id, tag)
);

INSERT INTO tags (book_id, tag) VALUES (1, 'x'), (1, 'y''s');

SELECT t.tag, COUNT(*) AS n
FROM tags AS t
WHERE t.tag <> 'don''t'
GROUP BY t.tag
ORDER BY n DESC;

DROP TABLE tags;
