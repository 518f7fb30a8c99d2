--- `:checkhealth caret`.
local M = {}

local health = vim.health

local ENGINES = {
  builtin = 'vim.lsp.inline_completion, with a guarded accept',
  extmarks = 'extmarks',
}

---@param config caret.Config
local function check_command(config)
  local program = config.cmd[1]
  if vim.fn.executable(program) == 0 then
    health.error(('`%s` cannot be run'):format(program), {
      'install Caret, or give its place: setup{ cmd = { "/path/to/caret", "lsp" } }',
    })
    return
  end
  health.ok(('server: %s'):format(table.concat(config.cmd, ' ')))
end

---@param stage caret.Stage
local function check_stage(stage)
  if stage == 'failed' then
    health.error('failed: there is no completion service', {
      'run `caret doctor`, or look at `:messages` and `:Caret log`',
    })
  elseif stage == 'loading' then
    health.info('the model is being loaded')
  else
    health.ok('the model is ready')
  end
end

local function check_clients()
  local clients = vim.lsp.get_clients({ name = 'caret' })
  if #clients == 0 then
    health.info('the server is not running: it starts with the first buffer of a file')
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    if not client.server_capabilities.inlineCompletionProvider then
      health.error('the server offers no inline completion', { 'install a newer Caret' })
    else
      health.ok(('running, %d buffer(s), positions in %s'):format(buffers, client.offset_encoding))
      check_stage(require('caret.client').stage_of(client))
    end
  end
end

---@param config caret.Config
local function check_keys(config)
  if not config.keys then
    health.info('no keys are mapped')
    return
  end
  local found = {}
  for action, key in pairs(config.keys) do
    if key then
      local map = vim.fn.maparg(key, 'i', false, true)
      if map.desc ~= 'Caret: ' .. action:gsub('_', ' ') then
        health.warn(('%s (%s) is mapped by something else'):format(key, action), {
          ('call setup later, or choose another: setup{ keys = { %s = … } }'):format(action),
        })
      else
        found[#found + 1] = ('%s %s'):format(key, action)
      end
    end
  end
  table.sort(found)
  health.ok('keys: ' .. table.concat(found, ', '))
end

function M.check()
  health.start('caret')
  local config = require('caret').config()
  if not config then
    health.error('setup was not called', { "require('caret').setup()" })
    return
  end
  health.ok(('Neovim %s, suggestions by %s'):format(tostring(vim.version()), ENGINES[config.engine]))
  check_command(config)
  check_clients()
  check_keys(config)
  if vim.g.caret_enabled == false then
    health.info('switched off: `:Caret enable`')
  end
  if config.watch_files and vim.fn.has('linux') == 1 and vim.fn.executable('inotifywait') == 0 then
    health.info('files are watched by Neovim itself; with `inotifywait` large trees take less')
  end
end

return M
