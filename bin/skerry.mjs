#!/usr/bin/env node
// The launcher is plain JavaScript for any Node.js, because the rest needs a newer one: on an older one it runs itself again
// with the Node.js 24 that the install brought along, or says what to install.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const source = join(root, 'runtime', 'process', 'main.ts')
// A checkout runs its TypeScript sources, whose `using` Node.js knows since 24; of what is compiled, the libraries want 22.15.
const OLDEST = existsSync(source) ? [24, 0] : [22, 15]

if (isNewEnough(process.versions.node)) {
  await run()
} else {
  const newer = bundledNode()
  if (newer === undefined) {
    process.stderr.write(
      `skerry needs Node.js ${OLDEST.join('.')} or newer; this is ${process.versions.node} and no newer one came with the install.\n` +
        'Install Node.js 24 (https://nodejs.org), or run npm ci again without --omit=optional.\n',
    )
    process.exitCode = 1
  } else {
    runWith(newer)
  }
}

async function run() {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`)
  })
  const { enableCompileCache } = await import('node:module')
  // Threads do not take the cache over by themselves; without it each of them would compile everything again.
  const cache = enableCompileCache?.()?.directory
  if (cache !== undefined) process.env['NODE_COMPILE_CACHE'] ??= cache
  const compiled = join(root, 'dist', 'runtime', 'process', 'main.js')
  const { main } = await import(pathToFileURL(existsSync(source) ? source : compiled).href)
  process.exitCode = await main(process.argv.slice(2))
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}

/** The Node.js 24 of the optional platform package, which needs no install script. */
function bundledNode() {
  const require = createRequire(import.meta.url)
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  try {
    const manifest = require.resolve(`${name}/package.json`)
    const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
    const file = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return isNewEnough(version) && existsSync(file) ? file : undefined
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: process.send ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
  })
  // The terminal already signals the whole foreground group; a signal sent to this process alone is handed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (!process.stdin.isTTY || signal !== 'SIGINT') child.kill(signal)
    })
  }
  if (process.send) {
    child.on('message', (message) => process.send(message))
    process.on('message', (message) => child.send(message))
    process.on('disconnect', () => child.disconnect())
  }
  child.on('exit', (code, signal) => {
    if (signal) process.kill(process.pid, signal)
    process.exitCode = code ?? 1
  })
}
