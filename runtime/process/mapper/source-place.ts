import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeError } from '../../../platform/lifecycle/index.ts'

/** Checking the syntax of one file starts Node.js. */
const CHECK_MS = 10_000

/** Where in a package an error was made, `index.js:24`: the innermost place of its stack that is in the folder. */
export function placeOf(error: unknown, folder: string): string | undefined {
  const innermost = causesOf(error).reverse()
  for (const each of innermost) {
    for (const [, url = '', line] of (each.stack ?? '').matchAll(/(file:\/\/[^\s()]+?):(\d+)/g)) {
      const path = relative(folder, pathOf(url))
      if (!path.startsWith('..') && !path.includes(`node_modules${sep}`)) return `${path}:${line}`
    }
  }
  return undefined
}

/** What an error that came of loading a module of a package says, with its place. Node.js keeps silent on that of a wrong syntax. */
export async function describeLoading(error: unknown, file: string): Promise<string> {
  const folder = dirname(file)
  const isSyntax = causesOf(error).some(({ name }) => name === 'SyntaxError')
  const place = placeOf(error, folder) ?? (isSyntax ? await syntaxPlace(folder) : undefined)
  return oneLine(place === undefined ? describeError(error) : `${describeError(error)} (${place})`)
}

export function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}

async function syntaxPlace(folder: string): Promise<string | undefined> {
  const files = (await readdir(folder)).filter((name) => /\.m?js$/.test(name)).sort()
  for (const name of files) {
    const line = await wrongLine(join(folder, name))
    if (line !== undefined) return `${name}:${line}`
  }
  return undefined
}

/** The first line that Node.js prints of a file that it cannot parse is its path and line. */
function wrongLine(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', file], { timeout: CHECK_MS }, (_error, _stdout, stderr) => {
      const [first = ''] = stderr.split('\n')
      resolve(first.startsWith(`${file}:`) ? first.slice(file.length + 1).trim() : undefined)
    })
  })
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let at = error; at instanceof Error && causes.length < 5; at = at.cause) causes.push(at)
  return causes
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url)
  } catch {
    return url
  }
}
