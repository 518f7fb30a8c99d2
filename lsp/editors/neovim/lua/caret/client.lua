--- The language client: `caret lsp`, started by Neovim for the buffers of the configured file types.
local M = {}

---@alias caret.Stage 'loading'|'ready'|'failed'

--- What the server last said of the service, by client.
---@type table<integer, caret.Stage>
local stages = {}

---@param config caret.Config
---@return table
local function capabilities(config)
  local made = vim.lsp.protocol.make_client_capabilities()
  made.textDocument.inlineCompletion = made.textDocument.inlineCompletion or { dynamicRegistration = false }
  made.workspace.didChangeWatchedFiles = made.workspace.didChangeWatchedFiles or {}
  -- Neovim leaves this off on Linux.
  made.workspace.didChangeWatchedFiles.dynamicRegistration = config.watch_files
  made.experimental = vim.tbl_extend('force', made.experimental or {}, { caretStatus = true })
  return made
end

--- Have the client started with each buffer, those that are open already included.
---@param config caret.Config
---@param attach fun(client: vim.lsp.Client, buf: integer)
---@param detach fun(client: vim.lsp.Client, buf: integer)
function M.setup(config, attach, detach)
  local group = vim.api.nvim_create_augroup('caret.client', {})
  local function on(event, callback)
    vim.api.nvim_create_autocmd(event, {
      group = group,
      callback = function(args)
        local client = vim.lsp.get_client_by_id(args.data.client_id)
        if client and client.name == 'caret' then
          callback(client, args)
        end
      end,
    })
  end
  on('LspAttach', function(client, args)
    attach(client, args.buf)
  end)
  on('LspDetach', function(client, args)
    detach(client, args.buf)
  end)
  local described = {
    name = 'caret',
    cmd = config.cmd,
    cmd_env = config.cmd_env,
    capabilities = capabilities(config),
    handlers = {
      -- And not its progress, which ends also where the service has failed.
      ['caret/status'] = function(_, params, context)
        stages[context.client_id] = params.stage
        vim.api.nvim_exec_autocmds('User', { pattern = 'CaretStatus', modeline = false })
      end,
    },
    -- An empty table of Lua would be sent as a list.
    settings = { caret = next(config.settings) and config.settings or vim.empty_dict() },
  }
  if vim.lsp.config then
    described.filetypes, described.root_markers = config.filetypes, config.root_markers
    -- A call merges: what an earlier `setup` set, and this one leaves out, shall not stay.
    vim.lsp.config('caret', { settings = { caret = vim.NIL } })
    vim.lsp.config('caret', described)
    vim.lsp.enable('caret')
  else
    M.start_with_buffers(config, described, group)
  end
  for _, client in ipairs(vim.lsp.get_clients({ name = 'caret' })) do
    client.settings = described.settings
    require('caret.ask').notify(client, 'workspace/didChangeConfiguration', { settings = client.settings })
  end
end

--- For Neovim 0.10, which has no `vim.lsp.enable`.
---@param config caret.Config
---@param described table
---@param group integer
function M.start_with_buffers(config, described, group)
  local function start(buf)
    if vim.bo[buf].buftype ~= '' then
      return
    end
    local root = vim.fs.root(buf, config.root_markers)
    vim.lsp.start(vim.tbl_extend('force', described, { root_dir = root }), { bufnr = buf })
  end
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = config.filetypes or '*',
    callback = function(args)
      start(args.buf)
    end,
  })
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    local kind = vim.bo[buf].filetype
    local is_wanted = not config.filetypes or vim.tbl_contains(config.filetypes, kind)
    if vim.api.nvim_buf_is_loaded(buf) and kind ~= '' and is_wanted then
      start(buf)
    end
  end
end

--- Say how it is in a buffer: not started, loading the model, ready, or without a service.
---@param buf integer
---@return 'stopped'|caret.Stage
function M.stage(buf)
  local client = require('caret.ask').client(buf)
  return client and M.stage_of(client) or 'stopped'
end

---@param client vim.lsp.Client
---@return caret.Stage
function M.stage_of(client)
  return stages[client.id] or 'loading'
end

--- End the server of every buffer and start it again.
function M.restart()
  local buffers = {}
  local clients = vim.lsp.get_clients({ name = 'caret' })
  for _, client in ipairs(clients) do
    vim.list_extend(buffers, vim.tbl_keys(client.attached_buffers))
    if vim.fn.has('nvim-0.11') == 1 then
      client:stop()
    else
      client.stop()
    end
  end
  vim.wait(5000, function()
    return #vim.lsp.get_clients({ name = 'caret' }) == 0
  end, 20)
  for _, buf in ipairs(buffers) do
    if vim.api.nvim_buf_is_valid(buf) then
      vim.api.nvim_exec_autocmds('FileType', { buffer = buf, modeline = false })
    end
  end
end

return M
