// Package shelf keeps books; it isn't a "library".
package shelf

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
)

/* ErrMissing is returned
   when a book's not there. */
var ErrMissing = errors.New("missing: \"book\"")

const (
	KindPaper = iota
	KindAudio
	mask = 0xFF &^ 0b1010
)

var query = `SELECT "title" FROM books -- 'raw'
WHERE author = ? // no comment
`

// Book is one book.
type Book struct {
	Title  string `json:"title" db:"title"`
	Author string `json:"author,omitempty"`
	Kind   int
	tags   map[string][]rune
}

// Store is what keeps them.
type Store interface {
	Get(ctx context.Context, title string) (*Book, error)
	fmt.Stringer
}

type memory[K comparable, V any] struct {
	mu    sync.RWMutex
	items map[K]V
}

func newMemory[K comparable, V any]() *memory[K, V] {
	return &memory[K, V]{items: make(map[K]V)}
}

func (m *memory[K, V]) Get(key K) (value V, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	value, ok = m.items[key]
	return
}

func (b *Book) String() string {
	if b == nil {
		return "<nil>"
	}
	return fmt.Sprintf("%s by %q (%d)", b.Title, b.Author, b.Kind)
}

func initials(name string) []rune {
	var out []rune
	for i, r := range name {
		switch {
		case r == ' ' || r == '\'' || r == '"':
			continue
		case i == 0, name[i-1] == ' ':
			out = append(out, r)
		default:
			if r == '\\' || r == '\u00e9' {
				break
			}
		}
	}
	return out
}

func Sorted(books []Book) []Book {
	out := make([]Book, len(books))
	copy(out, books)
	sort.Slice(out, func(i, j int) bool {
		return out[i].Title < out[j].Title
	})
	return out
}

func worker(ctx context.Context, in <-chan Book, out chan<- string) {
	for {
		select {
		case <-ctx.Done():
			return
		case book, ok := <-in:
			if !ok {
				close(out)
				return
			}
			out <- strings.ToUpper(book.String())
		}
	}
}

func Run(ctx context.Context, books ...Book) (lines []string, err error) {
	in, out := make(chan Book), make(chan string)
	go worker(ctx, in, out)
	go func() {
		for _, b := range books {
			in <- b
		}
		close(in)
	}()
	for line := range out {
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("run %v: %w", query, ErrMissing)
	}
	point := struct{ X, Y int }{X: 1, Y: 2}
	_ = [...]string{"a", `b`, "c\n"}[point.X]
	x := point.X*2 + mask>>1
	x++
	return lines, nil
}
