import Foundation

/* A block comment /* with another "inside" */ it's still one */

/// A book; don't copy it.
public struct Book: Codable, Comparable {
    let title: String
    var price: Double = 1.5e1
    private(set) var tags: [String] = []

    var line: String {
        return "\(title) (\(tags.map { "<\($0)>" }.joined(separator: ", "))): \(price / 2) \"quoted\""
    }

    static func < (left: Book, right: Book) -> Bool {
        return left.price < right.price
    }

    subscript(index: Int) -> String? {
        get { index < tags.count ? tags[index] : nil }
        set { if let value = newValue { tags[index] = value } }
    }
}

let raw = #"a "raw" string with \ and 'quotes' // no comment"#
let text = """
    SELECT "title" FROM books -- it's raw
    WHERE title = '\(raw)' // still text
    """

enum Kind: String, CaseIterable {
    case paper = "paper"
    case audio
    indirect case nested(Int)

    var weight: Int {
        switch self {
        case .paper:
            return 2
        case .audio, .nested:
            return 0
        }
    }
}

protocol Store {
    associatedtype Item
    var size: Int { get }
    func get(_ key: String) throws -> Item?
}

enum Failure: Error {
    case missing(String), full(limit: Int)
}

final class Memory<Item: Equatable>: Store {
    private var items: [String: Item] = [:]
    private let limit: Int
    weak var delegate: AnyObject?

    init(limit: Int = 0xFF) {
        self.limit = limit
    }

    deinit {
        print("gone: it's \(limit)")
    }

    var size: Int { items.count }

    func get(_ key: String) throws -> Item? {
        guard !key.isEmpty else {
            throw Failure.missing("no key: \(key)")
        }
        defer { print("done") }
        return items[key]
    }

    @discardableResult
    func put(_ key: String, _ value: Item) throws -> Self {
        if items.count >= limit && items[key] == nil {
            throw Failure.full(limit: limit)
        } else if let old = items[key], old == value {
            return self
        }
        items[key] = value
        return self
    }

    func filter(where test: (Item) -> Bool) -> [Item] {
        return items.values
            .filter(test)
    }
}

extension String {
    func shout() -> String { self.uppercased() + "!" }
}

func describe(_ value: Any?) -> String {
    switch value {
    case nil:
        return "nil"
    case let n as Int where n > 0:
        return "number \(n)"
    case let (a, b) as (Int, Int):
        return "pair of \(a) and \(b)"
    default:
        return "unknown // no comment"
    }
}

func load(_ keys: String...) -> [String: Book] {
    var out = [String: Book]()
    outer: for (i, key) in keys.enumerated() {
        if i % 2 == 0 && key.isEmpty { continue outer }
        out[key] = Book(title: key)
    }
    do {
        let memory = Memory<Int>(limit: 10)
        try memory.put("it's", 1).put("b", 2)
        var i = 3
        repeat { i -= 1 } while i > 0
        while i < 2 { i += 1 }
    } catch Failure.missing(let key) {
        print("can't: \(key)")
    } catch {
        print(error.localizedDescription.shout())
    }
    let add: (Int, Int) -> Int = { a, b in a + b }
    print(describe(add(1, 2)), (1...3).reduce(0, +) ?? 0)
    return out
}
