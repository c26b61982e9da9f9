import { readFile, stat, statfs } from 'node:fs/promises'
import { quantityText } from '../../../schemas/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'

/** How much there is of something, and how much of it is left. */
export interface Stock {
  readonly left: number
  readonly all: number
}

/** What pods use up, by a kubelet's names of its signals; one that this machine does not tell is absent. */
export type Stocks = Readonly<Partial<Record<Signal, Stock>>>
export type Signal = (typeof SIGNALS)[number]
export type Resource = 'memory' | 'ephemeral-storage' | 'inodes'

/** Below these pods have to go. Percents are of what there is. */
export interface EvictionThresholds {
  readonly memoryBytes: number
  readonly diskPercent: number
  readonly inodePercent: number
}

/** Less of something is left than has to be. */
export interface Shortage {
  readonly signal: Signal
  readonly resource: Resource
  /** Amounts as Kubernetes writes them. */
  readonly least: string
  readonly left: string
}

/** Memory first: nothing else is used up as fast. */
const SIGNALS = [
  'memory.available',
  'nodefs.available',
  'imagefs.available',
  'nodefs.inodesFree',
  'imagefs.inodesFree',
] as const

/** The most urgent first. */
export function shortagesOf(stocks: Stocks, thresholds: EvictionThresholds): readonly Shortage[] {
  return SIGNALS.flatMap((signal) => {
    const stock = stocks[signal]
    const resource = resourceOf(signal)
    if (!stock) return []
    const least = leastOf(resource, stock, thresholds)
    if (stock.left >= least) return []
    const written = resource === 'inodes' ? (count: number) => quantityText(Math.floor(count)) : bytesText
    return [{ signal, resource, least: written(least), left: written(stock.left) }]
  })
}

export function bytesText(bytes: number): string {
  return quantityText(`${Math.floor(bytes / 1024)}Ki`)
}

export interface MeasurePorts {
  /** On the disk where volumes and logs of pods are. */
  readonly directory: string
  readonly runtime: Pick<ContainerRuntime, 'imageFilesystems'>
}

/** Looks at this machine. Images count on their own where they are on a disk of their own. */
export async function measureStocks({ directory, runtime }: MeasurePorts, signal: AbortSignal): Promise<Stocks> {
  const { dev } = await stat(directory)
  const stocks: Partial<Record<Signal, Stock>> = {
    ...(await memoryStock()),
    ...(await diskStocks('nodefs', directory)),
  }
  for (const { mountpoint } of await runtime.imageFilesystems(signal)) {
    const other = await stat(mountpoint).catch(nothingThere)
    if (other && other.dev !== dev) Object.assign(stocks, await diskStocks('imagefs', mountpoint))
  }
  return stocks
}

function resourceOf(signal: Signal): Resource {
  if (signal === 'memory.available') return 'memory'
  return signal.endsWith('.inodesFree') ? 'inodes' : 'ephemeral-storage'
}

function leastOf(resource: Resource, { all }: Stock, thresholds: EvictionThresholds): number {
  if (resource === 'memory') return thresholds.memoryBytes
  return (all * (resource === 'inodes' ? thresholds.inodePercent : thresholds.diskPercent)) / 100
}

async function memoryStock(): Promise<Stocks> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(nothingThere)
  const bytesOf = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1]) * 1024
  const [left, all] = [bytesOf('MemAvailable'), bytesOf('MemTotal')]
  return left >= 0 && all > 0 ? { 'memory.available': { left, all } } : {}
}

async function diskStocks(disk: 'nodefs' | 'imagefs', directory: string): Promise<Stocks> {
  const { blocks, bavail, bsize, files, ffree } = await statfs(directory)
  return {
    ...(blocks > 0 ? { [`${disk}.available`]: { left: bavail * bsize, all: blocks * bsize } } : {}),
    // Some file systems make inodes as they go, and say 0.
    ...(files > 0 ? { [`${disk}.inodesFree`]: { left: ffree, all: files } } : {}),
  }
}

function nothingThere(error: unknown): undefined {
  if (error instanceof Error && 'code' in error) return undefined
  throw error
}
