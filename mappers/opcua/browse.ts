import type { Discovered } from '../contract/index.ts'
import type { DeviceConfig } from './config.ts'
import type { Link } from './link.ts'
export async function* browseServer(
  _link: Link,
  _device: DeviceConfig,
  _signal: AbortSignal,
): AsyncIterable<Discovered> {}
