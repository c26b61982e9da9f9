import type { MapperContext, Outcome, Reading, VisitId } from '../contract/index.ts'
import type { Client } from './client.ts'
import type { Presence } from './presence.ts'
import type { Subscriptions } from './subscriptions.ts'

/** What is shared by everything that goes over one client. */
export interface Session {
  readonly client: Client
  readonly subscriptions: Subscriptions
  readonly clock: MapperContext['clock']
  readonly log: MapperContext['log']
  /** By device, while it is watched. */
  readonly watched: Map<string, Watched>
  /** One for each command. */
  nextId(): string
}

/** What is known of a device while it is watched. */
export interface Watched {
  readonly presence: Presence
  /** What it said last of each property. */
  readonly last: Map<VisitId, Outcome<Reading>>
  /** Commands to properties of which it says nothing. */
  readonly commanded: Map<VisitId, Outcome<Reading>>
}
