export { askUpgrade, type UpgradeAnswer, type UpgradeRequest } from './ask-upgrade.ts'
export { beginningOf, wordsOf } from './body-text.ts'
export type * from './command.ts'
export {
  isCommandOverWebSocket,
  isTunnelOverWebSocket,
  tunnelProtocols,
  type UpgradeExchange,
  webSocketProtocols,
} from './exchange.ts'
export { execute } from './execute.ts'
export { IDLE_WITHIN } from './idle.ts'
export { type RelayOptions, relayTunnel, relayUpgrade } from './relay.ts'
export { SpdyConnection, type SpdyOptions } from './spdy/connection.ts'
export type { SpdyStream } from './spdy/stream.ts'
export { type CommandTarget, reasonOf, translateCommand } from './translate-command.ts'
