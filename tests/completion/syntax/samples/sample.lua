#!/usr/bin/env lua
-- A shelf of books; it isn't a "library".
--[[ A long comment
  with "quotes" and it's fine ]]
--[==[ another one with ]] inside
]==]

local json = require("json")
local insert, concat = table.insert, table.concat

local RAW = [[
a "raw" string with \ and 'quotes' -- no comment
]]
local DEEP = [==[ends with ]] not here]==]

---@class Book
local Book = {}
Book.__index = Book

function Book.new(title, price)
  local self = setmetatable({}, Book)
  self.title = title or "it's \"untitled\""
  self.price = price or 1.5e1
  self.tags = { 'a', "b", [3] = 0xFF, key = { nested = true } }
  return self
end

function Book:line(separator)
  separator = separator or ', '
  local parts = {}
  for i, tag in ipairs(self.tags) do
    if tag ~= nil and #tag > 0 then
      insert(parts, i .. ":" .. tag)
    elseif tag == '' then
      goto continue
    else
      parts[#parts + 1] = tostring(tag)
    end
    ::continue::
  end
  return ("%s (%s): %.2f"):format(self.title, concat(parts, separator), self.price / 2)
end

local Memory = {}

function Memory.create(limit)
  local items, count = {}, 0

  local function put(key, value)
    if count >= limit then
      error("full: " .. limit .. " don't fit")
    end
    items[key] = value
    count = count + 1
  end

  local function get(key)
    return items[key]
  end

  return {
    put = put,
    get = get,
    size = function() return count end,
    each = function(callback)
      for key, value in pairs(items) do
        callback(key, value)
      end
    end,
  }
end

local function factorial(n)
  if n <= 1 then return 1 end
  return n * factorial(n - 1)
end

local function total(...)
  local sum = 0
  for _, value in ipairs({ ... }) do
    sum = sum + value
  end
  local i = 10
  while i > 0 do
    i = i - 1
    if i % 3 == 0 then break end
  end
  repeat
    i = i + 1
  until i >= 5
  for step = 1, 10, 2 do sum = sum + step end
  return sum // 2, not (sum == 0)
end

local ok, message = pcall(function()
  local memory = Memory.create(2)
  memory.put("it's", Book.new("One", 4))
  memory.put('two', Book.new 'Two')
  memory.each(function(key, book)
    print(key, book:line(), [[long "inline"]])
  end)
  do
    local scoped = "multi \
line"
    print(scoped, '\'', "\\")
  end
  return factorial(5) & 3
end)

if not ok then
  print("failed: " .. message) -- a comment with "quotes
end
print(total(1, 2, 3), RAW, DEEP, json and 'yes' or "no")
return Book
