package org.example.shelf

import scala.collection.mutable
import scala.util.{Failure, Success, Try}

/* A block comment /* with another "inside" */ it's still one */

/** A book; don't copy it. */
final case class Book(title: String, price: Double = 1.5e1, tags: List[String] = Nil) {
  def line: String = s"$title (${tags.map(t => s"<$t>").mkString(", ")}): ${price / 2} it's"
  val quote = '"'
  val back = '\\'
  val letter: Char = 'a'
}

object Book {
  implicit val ordering: Ordering[Book] = Ordering.by(_.price)
  val raw: String = """a "raw" string with \ and 'quotes' // no comment"""
  val filled = s"""
    |SELECT "title" -- it's ${raw.length}
    |""".stripMargin
  val formatted = f"${3.14}%.2f and \"more\""

  def apply(title: String): Book = new Book(title)
}

sealed trait Result[+T]
case class Found[T](value: T) extends Result[T]
case object Missing extends Result[Nothing]

trait Store[K, V] {
  def get(key: K): Result[V]
  def size: Int
  protected val name: String = "store"
}

class Memory[K, V](limit: Int = 0xFF) extends Store[K, V] {
  private val items = mutable.Map.empty[K, V]
  private var hits = 0L

  override def size: Int = items.size

  def get(key: K): Result[V] = {
    hits += 1
    items.get(key) match {
      case Some(value) => Found(value)
      case None => Missing
    }
  }

  def put(key: K, value: V): this.type = {
    if (items.size < limit) {
      items(key) = value
    } else {
      throw new IllegalStateException("full: " + items.keys.headOption.getOrElse("none"))
    }
    this
  }

  def filter(test: V => Boolean): Seq[V] =
    items.values
      .filter(test)
      .toSeq
}

object Main {
  type Key = String

  def describe(value: Any): String = value match {
    case null => "null"
    case n: Int if n > 0 && n < 10 => s"small $n"
    case Book(title, _, first :: rest) => title + first + rest.size
    case (a, b) => s"pair of $a and ${b.toString}"
    case s: String =>
      val half = s.length / 2
      s.take(half)
    case _ => "unknown // no comment"
  }

  def load(store: Store[Key, Book], keys: Key*): Map[Key, Option[Book]] = {
    val found = for {
      key <- keys
      if key.nonEmpty
      book = store.get(key)
    } yield key -> (book match {
      case Found(b) => Some(b)
      case Missing => None
    })
    found.toMap
  }

  def parse(text: String): Int = Try(text.toInt) match {
    case Success(n) => n
    case Failure(e) =>
      println(s"can't parse: ${e.getMessage}")
      0
  }

  def main(args: Array[String]): Unit = {
    val memory = new Memory[Key, Book](limit = 10)
    memory.put("it's", Book("a")).put("b", Book("c", tags = List("x", "y")))
    var i = 3
    while (i > 0) {
      i -= 1
    }
    try {
      println(describe((1, 'x')) + memory.size + args.length)
    } catch {
      case e: IllegalStateException => println("failed \"here\"")
    } finally {
      println(load(memory, "b").size)
    }
    val add = (a: Int, b: Int) => a + b
    println(add(1, 2) * parse("3") >> 1)
  }
}
