import assert from 'node:assert/strict'
import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { PodGuests } from './pod-guests.ts'

test('connections that are closed already take no place of their pod', async () => {
  const guests = new PodGuests({ maxConnections: 1, maxRequests: 8, maxStreams: 1 }, () => assert.fail('it is refused'))
  for (let count = 0; count < 3; count++) {
    const socket = new Socket()
    await once(socket.destroy(), 'close')
    using _visit = guests.enter('pod:shop/till/u-1', socket, new ServerResponse(new IncomingMessage(socket)))
  }
})
