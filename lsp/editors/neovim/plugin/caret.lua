-- Defines :Caret and the highlight; nothing else is loaded before it is used.
if vim.g.loaded_caret then
  return
end
vim.g.loaded_caret = true

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify('Caret needs Neovim 0.10 or newer', vim.log.levels.ERROR)
  return
end

vim.api.nvim_set_hl(0, 'CaretGhost', {
  default = true,
  link = vim.fn.has('nvim-0.12') == 1 and 'ComplHint' or 'NonText',
})

vim.api.nvim_create_user_command('Caret', function(call)
  require('caret.commands').run(call.fargs)
end, {
  nargs = '*',
  desc = 'Caret: code completion',
  complete = function(_, line)
    return require('caret.commands').complete(line)
  end,
})
