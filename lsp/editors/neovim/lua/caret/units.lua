--- Bytes of a line, and units of the protocol's positions.
---
--- Of our own because `make_position_params` of Neovim 0.10 is wrong where a character before the cursor
--- has more bytes than units and the cursor's byte is beyond the line's number of units.
local M = {}

--- Return the byte at which so many units of a line end; the line's end where it has fewer.
---@param line string
---@param units integer
---@param encoding string
---@return integer
function M.byte_of(line, units, encoding)
  if encoding == 'utf-8' then
    return math.min(units, #line)
  end
  local ok, byte
  if vim.fn.has('nvim-0.11') == 1 then
    ok, byte = pcall(vim.str_byteindex, line, encoding, units, false)
  else
    ok, byte = pcall(vim.str_byteindex, line, units, encoding == 'utf-16')
  end
  return ok and byte or #line
end

--- Return how many units a text has.
---@param text string
---@param encoding string
---@return integer
function M.of(text, encoding)
  if encoding == 'utf-8' then
    return #text
  end
  if vim.fn.has('nvim-0.11') == 1 then
    return vim.str_utfindex(text, encoding)
  end
  local utf32, utf16 = vim.str_utfindex(text)
  return encoding == 'utf-16' and utf16 or utf32
end

return M
