--- Whether suggestions are on: `vim.g.caret_enabled` for all buffers, `vim.b.caret_enabled` for one.
local M = {}

---@param buf integer
---@return boolean
function M.is_on(buf)
  if vim.b[buf].caret_enabled ~= nil then
    return vim.b[buf].caret_enabled
  end
  return vim.g.caret_enabled ~= false
end

--- Switch on or off; `buf` nil: everywhere, over what single buffers said.
---@param is_on boolean
---@param buf integer?
function M.set(is_on, buf)
  if buf then
    vim.b[buf].caret_enabled = is_on
    return
  end
  vim.g.caret_enabled = is_on
  for _, one in ipairs(vim.api.nvim_list_bufs()) do
    vim.b[one].caret_enabled = nil
  end
end

return M
