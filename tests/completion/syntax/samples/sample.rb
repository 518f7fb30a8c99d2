# frozen_string_literal: true

require 'json'
require_relative "shelf/version"

=begin
A long comment: it's got "quotes" and
# signs.
=end
module Shelf
  NAMES = %w[one two it's "three"].freeze
  SYMBOLS = %i(a b (c d))
  PATTERN = /\A(?<name>\w+)\s*=\s*["'](?<value>[^"'#]*)["']\z/i
  PATH = %r{^/books/(\d+)/#{NAMES.first}/?$}
  QUOTE = ?"
  Error = Class.new(StandardError)

  # A book. Don't copy it.
  class Book
    include Comparable
    attr_reader :title, :price, :tags

    def initialize(title, price: 1.0, tags: [], **rest)
      @title = title
      @price = price / 2 / 1
      @tags = tags || []
      @rest = rest
      @@count = (@@count ||= 0) + 1
    end

    def <=>(other)
      price <=> other.price
    end

    def to_s
      "#{title} (#{tags.map { |t| "<#{t}>" }.join(', ')}): #{format('%.2f', price)} # no comment"
    end

    def cheap? = price < 5

    def [](key)
      @rest.fetch(key) { |k| raise Error, "no #{k.inspect}: it's missing" }
    end

    private

    def sql
      <<~SQL.strip
        SELECT "title" FROM books -- it's raw
        WHERE title = '#{title}' # still text
      SQL
    end

    def raw
      <<-'TEXT'
        no #{interpolation} here, and "quotes"
        TEXT
    end
  end

  class << self
    def load(path, &block)
      File.open(path, 'r') do |file|
        file.each_line.with_index(1) do |line, number|
          next if line =~ /^\s*#/ || line.strip.empty?

          case line
          when PATTERN
            yield $~[:name], $1 if block
          when /skip/, "end" then next
          else
            warn "#{path}:#{number}: don't understand #{line.dump}"
          end
        end
      end
    rescue Errno::ENOENT => e
      puts "can't open: #{e.message}"
      nil
    ensure
      @loaded = true
    end

    def total(books)
      sum = 0
      books.each do |book|
        unless book.nil?
          sum += book.price
        end
      end
      i = 10
      while i > 0 do
        i -= 1
        break if i % 3 == 0
      end
      until i >= 5
        i += 1
      end
      sum > 0 ? sum / books.size : 0
    end
  end
end

books = [Shelf::Book.new("It's", price: 4, tags: %w(a b)), Shelf::Book.new('Two')]
books.sort_by { |b| -b.price }.each { |b| puts b }
hash = { "key": 1, 'other' => :value, if: 2, end: 3 }
result = if hash[:if] == 2 then :"quoted symbol" else :none end
text = 'single \' quote' + "double \" quote \#{no}" +
  "joined"
value = begin
  Integer("12")
rescue ArgumentError
  0
end
puts result, text, value, `echo "#{value}"`
square = ->(x) { x ** 2 }
puts square.(3) if books.any?(&:cheap?)
