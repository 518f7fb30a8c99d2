<!DOCTYPE html>
<p>It's text before the "code".</p>
<?php
declare(strict_types=1);

namespace App\Shelf;

use InvalidArgumentException;
use App\Model\{Author, Publisher as Pub};

/**
 * A book: it isn't a "library".
 */
#[Entity(table: "books")]
final class Book implements \JsonSerializable
{
    public const KINDS = ['paper' => 1, "audio" => 2];
    private static int $count = 0;

    public function __construct(
        private readonly string $title,
        protected ?Author $author = null,
        public float $price = 1.5e1,
    ) {
        // a comment with "quotes and it's fine
        # another one
        self::$count++;
        if ($price < 0) {
            throw new InvalidArgumentException("price {$price} of '$title' isn't allowed");
        }
    }

    public function line(array $extra = []): string
    {
        $name = $this->author?->name ?? 'nobody';
        return "{$this->title} by ${name}: \$ {$extra['key']} $extra[0] \"quoted\"" . ' it\'s';
    }

    public function sql(): string
    {
        $sql = <<<SQL
            SELECT "title" FROM books -- it's raw
            WHERE title = '{$this->title}' # no comment
            SQL;
        $raw = <<<'TEXT'
        no {$interpolation} and "quotes
        TEXT;
        return $sql . $raw;
    }

    public function jsonSerialize(): mixed
    {
        return array_map(fn($x) => $x / 2, get_object_vars($this));
    }
}

interface Store
{
    public function get(string $key): ?Book;
}

trait Logs
{
    private array $lines = [];

    protected function log(string $text, int ...$codes): void
    {
        $this->lines[] = sprintf('%s [%d]', $text, $codes[0] ?? 0);
    }
}

enum Kind: string
{
    case Paper = 'paper';
    case Audio = "audio";

    public static function parse(string $text): self
    {
        return match (true) {
            str_starts_with($text, "p") => self::Paper,
            default => self::Audio,
        };
    }
}

class Memory implements Store
{
    use Logs;

    private array $books = [];

    public function get(string $key): ?Book
    {
        foreach ($this->books as $name => $book) {
            if ($name === $key && $book instanceof Book) {
                return $book;
            } elseif ($name == '') {
                continue;
            } else {
                $this->log("skipped $name", 1);
            }
        }
        try {
            $f = function (int $x) use ($key): int {
                return $x <=> strlen($key);
            };
            switch ($f(1)) {
                case 1:
                    break;
                default:
                    return null;
            }
        } catch (\Throwable | \Error $e) {
            echo "failed: {$e->getMessage()}\n";
        } finally {
            unset($f);
        }
        /* done, isn't it? */
        return null;
    }
}
?>
<ul>
<?php foreach ([1, 2] as $i): ?>
  <li>It's number <?= $i ?></li>
<?php endforeach; ?>
</ul>
<?php
for ($i = 0; $i < 3; $i++) echo $i % 2 ? "odd" : 'even';
