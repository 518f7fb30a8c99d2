package org.example.shelf

import kotlin.math.max
import java.util.concurrent.ConcurrentHashMap as Cache

/* A block comment /* with another "inside" */ it's still one */

/** A book; don't copy it. */
data class Book(
    val title: String,
    val price: Double = 1.5e1,
    private val tags: List<String> = emptyList(),
) : Comparable<Book> {
    val line: String
        get() = "$title (${tags.joinToString(", ") { "<$it>" }}): ${price / 2} \$ \"quoted\""

    override fun compareTo(other: Book): Int = price.compareTo(other.price)

    companion object {
        const val QUOTE = '"'
        private const val BACK = '\\'
        val RAW = """
            a "raw" string with ${QUOTE} and $BACK
            no \escape // no comment
        """.trimIndent()
    }
}

sealed interface Result<out T> {
    data class Ok<T>(val value: T) : Result<T>
    object Missing : Result<Nothing>
}

enum class Kind(val label: String) {
    PAPER("paper") {
        override fun weight() = 2
    },
    AUDIO("audio");

    open fun weight(): Int = 0
}

interface Store<K : Any, V> {
    fun get(key: K): Result<V>
    val size: Int
}

class Memory<K : Any, V>(private val limit: Int = 0xFF) : Store<K, V> {
    private val items = Cache<K, V>()
    lateinit var name: String

    init {
        require(limit > 0) { "limit isn't positive: $limit" }
    }

    override val size get() = items.size

    override fun get(key: K): Result<V> {
        val found = items[key] ?: return Result.Missing
        return Result.Ok(found)
    }

    operator fun set(key: K, value: V) {
        if (items.size < limit) {
            items[key] = value
        } else {
            throw IllegalStateException("full: ${items.keys.firstOrNull() ?: "none"}")
        }
    }

    inline fun <reified R> filter(crossinline test: (V) -> Boolean): List<R> =
        items.values
            .filter { test(it) }
            .filterIsInstance<R>()
}

fun describe(value: Any?): String = when (value) {
    null -> "null"
    is Int, is Long -> "number $value"
    in 1..10 -> "small"
    is String -> {
        val half = value.length / 2
        "text of $half: ${value.take(half)}"
    }
    else -> "unknown // no comment"
}

suspend fun load(store: Store<String, Book>, vararg keys: String): Map<String, Book?> {
    val out = mutableMapOf<String, Book?>()
    outer@ for ((i, key) in keys.withIndex()) {
        if (i % 2 == 0 && key.isEmpty()) continue@outer
        out[key] = when (val r = store.get(key)) {
            is Result.Ok -> r.value
            Result.Missing -> null
        }
    }
    try {
        var n = 3
        do { n-- } while (n > 0)
        while (n < max(1, 2)) n++
    } catch (e: IllegalStateException) {
        println("can't: ${e.message}")
    } finally {
        out.remove("")
    }
    return out
}

fun String.shout(): String = this.uppercase() + '!'

fun main(args: Array<String>) {
    val memory = Memory<String, Book>(limit = 10)
    memory["it's"] = Book("a", tags = listOf("x", "y"))
    val add: (Int, Int) -> Int = { a, b -> a + b }
    println(describe(add(1, 2)).shout() + memory.size + args.size)
}
