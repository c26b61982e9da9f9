import { RefusedError, UnavailableError } from '../../platform/lifecycle/index.ts'

/** What a stream is destroyed with when its tunnel, or the other end of the stream, is gone. */
export function tunnelClosed(reason: string): UnavailableError {
  return new UnavailableError('The stream through the tunnel was cut', {
    code: 'HUB_TUNNEL_CLOSED',
    fields: { reason },
  })
}

export function noTunnel(node: string): UnavailableError {
  return new UnavailableError('The node has no tunnel to the cloud now: it is offline, or its tunnel is off', {
    code: 'HUB_NO_TUNNEL',
    fields: { node },
  })
}

export function tunnelBusy(most: number): UnavailableError {
  return new UnavailableError('The tunnel of the node has its most streams: end some, or try again later', {
    code: 'HUB_TUNNEL_BUSY',
    fields: { most },
  })
}

export function tunnelRefused(target: string, reason: string): RefusedError {
  return new RefusedError('The node does not serve this through its tunnel', {
    code: 'HUB_TUNNEL_REFUSED',
    fields: { target, reason },
  })
}

export function tunnelSilent(target: string): UnavailableError {
  return new UnavailableError('The node did not open the stream in time', {
    code: 'HUB_TUNNEL_SILENT',
    fields: { target },
  })
}
