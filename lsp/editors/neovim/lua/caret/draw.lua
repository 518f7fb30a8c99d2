--- Ghost text by extmarks: what a suggestion looks like in the buffer.
local api = vim.api

local M = {}

local namespace = api.nvim_create_namespace('caret')
local GROUP = 'CaretGhost'

--- Tabs as the buffer shows them: virtual text does not know of tab stops.
---@param text string
---@param from integer screen columns before it
---@return string
local function expanded(text, from)
  local out, column, width = {}, from, vim.bo.tabstop
  for piece, tab in text:gmatch('([^\t]*)(\t?)') do
    column = column + api.nvim_strwidth(piece)
    out[#out + 1] = piece
    if tab ~= '' then
      local blanks = width - column % width
      out[#out + 1] = (' '):rep(blanks)
      column = column + blanks
    end
  end
  return table.concat(out)
end

--- Return the extmark that shows `suggestion`, nil where there is nothing to show.
---@param suggestion caret.Suggestion
---@return table?
local function mark(suggestion)
  local rest = suggestion:rest()
  if not rest then
    return nil
  end
  local replaced, kept = suggestion:replaced(), suggestion:kept()
  local lines = vim.split((rest:gsub('\r', '')), '\n', { plain = true })
  if #lines == 1 and replaced ~= '' and vim.endswith(lines[1], replaced) then
    -- A closer that stands there already stays in its place.
    lines[1], replaced = lines[1]:sub(1, -#replaced - 1), ''
  end
  local from = vim.fn.virtcol('.') - 1
  local first = expanded(lines[1], from)
  if #lines == 1 and first == '' then
    return nil
  end
  local opts = { hl_mode = 'combine', virt_text_pos = 'inline' }
  if #lines > 1 and replaced .. kept ~= '' or replaced ~= '' then
    -- What follows the cursor goes behind the last line, so that it is hidden where it stands.
    local hidden = api.nvim_strwidth(expanded(replaced .. kept, from))
    first = first .. (#lines == 1 and kept or '')
    first = first .. (' '):rep(hidden - api.nvim_strwidth(first))
    opts.virt_text_pos = 'overlay'
  end
  opts.virt_text = { { first, GROUP } }
  if #lines > 1 then
    lines[#lines] = lines[#lines] .. kept
    opts.virt_lines = {}
    for index = 2, #lines do
      opts.virt_lines[index - 1] = { { expanded(lines[index], 0), GROUP } }
    end
  end
  return opts
end

--- Show a suggestion at the cursor, in place of what was shown; false: there is nothing to show.
---@param suggestion caret.Suggestion
---@return boolean
function M.show(suggestion)
  local buf = suggestion.place.buf
  M.clear(buf)
  local opts = mark(suggestion)
  if not opts then
    return false
  end
  local cursor = api.nvim_win_get_cursor(0)
  api.nvim_buf_set_extmark(buf, namespace, cursor[1] - 1, cursor[2], opts)
  return true
end

---@param buf integer
function M.clear(buf)
  if api.nvim_buf_is_valid(buf) then
    api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  end
end

return M
