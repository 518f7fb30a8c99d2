#nullable enable
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;

namespace Example.Shelf
{
    #region It's a region with "quotes"
    /// <summary>Keeps books; it isn't a "library".</summary>
    public interface IStore<out T> where T : class
    {
        T? this[string key] { get; }
        event EventHandler<string>? Changed;
    }
    #endregion

    [Serializable]
    public enum Kind : byte { None = 0, Paper = 1 << 1, Audio }

    public record Book(string Title, Kind Kind, decimal Price = 9.99m)
    {
        public string Line => $"{Title,-20} ({Kind}): {Price:0.00} {{literal}}";
        public string Path => @"C:\books\" + Title + @"\a ""quoted"" name";
        public string Both => $@"C:\{Title}\a ""quoted"" {Kind}";
    }

    public sealed class Memory : IStore<Book>, IDisposable
    {
        private readonly Dictionary<string, Book> _books = new();
        private const char Quote = '\'', Back = '\\', Letter = 'a';
        private static readonly string Json = """
            { "title": "it's raw", 'single': "\" }
            """;
        private static readonly string Filled = $"""
            <b>{Quote}</b> "{Letter + 1}"
            """;

        public event EventHandler<string>? Changed;

        public Book? this[string key] => _books.TryGetValue(key, out var book) ? book : null;

        public int Count
        {
            get { return _books.Count; }
            private set => throw new NotSupportedException("can't set " + nameof(value));
        }

        public Memory Add(params Book[] books)
        {
            foreach (var book in books)
            {
                _books[book.Title] = book with { Price = book.Price / 2 / 1 };
                Changed?.Invoke(this, $"added {book.Title.Replace("\"", "'")}");
            }
            return this;
        }

        public IEnumerable<(string Title, int Length)> Lengths(int least = 0)
        {
            return from book in _books.Values
                   where book.Title.Length > least
                   orderby book.Title descending
                   select (book.Title, book.Title.Length);
        }

        public async Task<string?> ReadAsync(Func<Book, Task<string>> read, Kind kind)
        {
            try
            {
                var first = _books.Values.FirstOrDefault(b => b.Kind == kind);
                return first is { Price: > 0 } ? await read(first) : null;
            }
            catch (InvalidOperationException e) when (e.Message.Length > 0)
            {
                Console.Error.WriteLine($"failed: {e.Message} {(kind == Kind.None ? "none" : "some")}");
                throw;
            }
            finally
            {
                Dispose();
            }
        }

        public static string Describe(object? value)
        {
            switch (value)
            {
                case null:
                    return "null";
                case int n when n > 0:
                    return n.ToString("D3");
                case string { Length: 0 }:
                    goto default;
                default:
                    break;
            }
            return value switch
            {
                Book { Kind: Kind.Paper } b => b.Line,
                _ => "unknown // no comment",
            };
        }

        public unsafe void Dispose()
        {
            /* a block comment: don't stop */
            int i = 0;
            do { i++; } while (i < 0x10 && i >= 0);
            lock (_books) { _books.Clear(); }
            var all = new[] { 1, 2, 3 }.Where(x => x % 2 == 0).ToList<int>();
            _ = all.Count > 0 ? all[^1] : Json.Length + Filled.Length + i;
        }
    }
}
