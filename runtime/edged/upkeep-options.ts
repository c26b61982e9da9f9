import type { EvictionThresholds } from './housekeeping/eviction-signals.ts'
import type { ImageGcOptions } from './housekeeping/image-gc.ts'
import type { LogRotationOptions } from './housekeeping/log-rotation.ts'

export interface UpkeepOptions {
  readonly images: Pick<ImageGcOptions, 'highPercent' | 'lowPercent'>
  readonly containerLogs: Pick<LogRotationOptions, 'maxBytes' | 'maxFiles'>
  /** Below what is left pods have to go. */
  readonly eviction: EvictionThresholds
}
