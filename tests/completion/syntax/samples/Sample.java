package org.example.shelf;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import static java.util.stream.Collectors.toList;

/**
 * Keeps books. It isn't a "library".
 * {@code "quoted"} and 'c'.
 */
@SuppressWarnings({"unchecked", "rawtypes"})
public abstract class Sample<T extends Comparable<T>> implements Iterable<T> {
    private static final String QUERY = """
        SELECT "title" -- 'raw'
        FROM books // no comment
        WHERE name = \"""quoted\"""
        """;
    private static final char QUOTE = '\'', BACK = '\\', TAB = '\t', HEX = '\u0041';
    protected final List<T> items = new ArrayList<>();
    private final int[][] grid = {{1, 2}, {3, 4}};

    public enum Kind {
        PAPER("paper") {
            @Override
            int weight() { return 2; }
        },
        AUDIO("audio");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        int weight() { return 0; }
    }

    public record Book(String title, Kind kind, double price) {
        public Book {
            if (price < 0) throw new IllegalArgumentException("price: " + price);
        }

        String line() {
            return String.format("%s (%s): %.2f\n", title, kind.label, price);
        }
    }

    sealed interface Shape permits Circle, Square {}
    record Circle(double r) implements Shape {}
    record Square(double a) implements Shape {}

    static double area(Shape shape) {
        return switch (shape) {
            case Circle c -> Math.PI * c.r() * c.r();
            case Square s -> {
                double a = s.a();
                yield a * a;
            }
        };
    }

    public Sample(List<? extends T> first) {
        // a comment with "quotes" and it's fine
        items.addAll(first);
    }

    public <R> List<R> map(Function<? super T, ? extends R> f) {
        return items.stream()
            .filter(x -> x != null)
            .map(f)
            .collect(toList());
    }

    int search(T wanted) {
        int low = 0, high = items.size() - 1;
        outer:
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = items.get(middle).compareTo(wanted);
            if (order < 0) {
                low = middle + 1;
            } else if (order > 0) {
                high = middle - 1;
            } else {
                break outer;
            }
        }
        return low < items.size() ? low : -1;
    }

    String label(int count) {
        switch (count) {
            case 0:
                return "none";
            case 1: {
                return "one" + QUOTE;
            }
            default:
                return count + " books" + /* inline 'comment' */ BACK;
        }
    }

    static Map<String, Integer> count(String... words) {
        var out = new java.util.TreeMap<String, Integer>();
        for (String word : words) {
            out.merge(word, 1, Integer::sum);
        }
        try (var reader = new java.io.StringReader(QUERY)) {
            int c = reader.read();
            do { c--; } while (c > '0');
        } catch (java.io.IOException | RuntimeException e) {
            throw new IllegalStateException("can't read", e);
        } finally {
            out.remove("");
        }
        Runnable later = () -> { System.out.println("done \"later\""); };
        later.run();
        synchronized (out) { out.put("x", 0xFF_FF); }
        return out;
    }
}
