import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { filesOf } from '../files.ts'

/** Settles the new name on disk. */
export function rename(from: string, to: string): void {
  renameSync(from, to)
  sync(filesOf(to).folder)
}

export function sync(path: string): void {
  const isFolder = statSync(path).isDirectory()
  // Windows cannot open a folder; its rename is durable with the file.
  if (isFolder && process.platform === 'win32') return
  const descriptor = openSync(path, isFolder ? 'r' : 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** The log of another file would be taken for this one's. */
export function removeLog(file: string): void {
  const { log, index } = filesOf(file)
  for (const each of [log, index]) rmSync(each, { force: true })
}
