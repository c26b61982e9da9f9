import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import type {
  ApplicationAnswer,
  ApplicationRequest,
  Applications,
  PathRequest,
  WatchedEvent,
  WatchRequest,
} from '../../applications/applications.ts'

/** A cloud that answers as a test says, and remembers what it was asked. */
export interface FakeApplications extends Applications {
  isConnected: boolean
  peer: 'skerry' | 'kubeedge' | undefined
  readonly asked: ApplicationRequest[]
  answer: (request: ApplicationRequest) => ApplicationAnswer
  readonly paths: Map<string, ApplicationAnswer>
  /** What was asked by path. */
  readonly reads: PathRequest[]
  read: Applications['read']
  /** Instead of what stands at the path. */
  refuse: (request: PathRequest) => ApplicationAnswer | undefined
  events: (request: WatchRequest, signal: AbortSignal) => AsyncIterable<WatchedEvent>
}

export function fakeApplications(): FakeApplications {
  const fake: FakeApplications = {
    isConnected: true,
    peer: 'skerry',
    asked: [],
    paths: new Map(),
    reads: [],
    refuse: () => undefined,
    answer: () => ({ code: 404, object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 } }),
    async *events() {},
    async ask(request: ApplicationRequest) {
      offline(fake)
      fake.asked.push(request)
      return fake.answer(request)
    },
    async read(request: PathRequest) {
      offline(fake)
      fake.reads.push(request)
      const answer = fake.refuse(request) ?? fake.paths.get(request.path) ?? { code: 404 }
      const isKnown = request.knownTag !== undefined && request.knownTag === answer.tag
      return isKnown ? { code: 304, tag: request.knownTag } : answer
    },
    watch: (request: WatchRequest, signal: AbortSignal) => fake.events(request, signal),
  }
  return fake
}

function offline({ isConnected }: FakeApplications): void {
  if (!isConnected) throw new UnavailableError('The cloud is not connected', { code: 'HUB_OFFLINE' })
}
