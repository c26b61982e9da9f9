import { isDeepStrictEqual } from 'node:util'
import type { JsonObject, Rule } from '../../../../schemas/index.ts'
import { isRecord } from '../../kubernetes/guards.ts'
import type { Verdict } from '../rules/judge-rule.ts'
import type { DeadLetter } from './tally.ts'

/** What became of messages of a rule since its status was written last. */
export interface News {
  readonly delivered: number
  readonly failed: number
  readonly errors: readonly string[]
  readonly deadLetters: readonly JsonObject[]
}

export const emptyNews: News = { delivered: 0, failed: 0, errors: [], deadLetters: [] }

const MOST_ERRORS = 10
const LONGEST_ERROR = 300
const MOST_LETTERS = 10
/** Of a payload: enough to see what it was. */
const LONGEST_PAYLOAD = 1024

interface Trouble {
  /** Unix ms. */
  readonly time: number
  readonly reason: string
}

export function withError(news: News, { time, reason }: Trouble): News {
  const error = `${new Date(time).toISOString()} ${reason}`.slice(0, LONGEST_ERROR)
  return { ...news, errors: [...news.errors, error].slice(-MOST_ERRORS) }
}

export function withFailure(news: News, trouble: Trouble, letter?: DeadLetter): News {
  return {
    ...withError(news, trouble),
    failed: news.failed + 1,
    deadLetters: [...news.deadLetters, ...(letter ? [letterObject(letter)] : [])].slice(-MOST_LETTERS),
  }
}

function letterObject({ time, node, topic, id, reason, payload }: DeadLetter): JsonObject {
  const shown = Buffer.from(payload.subarray(0, LONGEST_PAYLOAD)).toString('base64')
  return {
    ...{ time: new Date(time).toISOString(), node, topic: topic.slice(0, LONGEST_ERROR), id },
    ...{ reason: reason.slice(0, LONGEST_ERROR), bytes: payload.length, payload: shown },
    ...(payload.length > LONGEST_PAYLOAD ? { truncated: true } : {}),
  }
}

export interface StatusNews {
  readonly news: News
  readonly verdict: Verdict | undefined
  /** Unix ms. */
  readonly now: number
}

/** The status that the rule should have; undefined where it has it. What others wrote into it stays. */
export function mergedStatus({ status }: Rule, { news, verdict, now }: StatusNews): JsonObject | undefined {
  const present = status ?? {}
  const isNew = news.delivered + news.failed + news.errors.length > 0
  const counts = isNew
    ? {
        successMessages: numberIn(present['successMessages']) + news.delivered,
        failMessages: numberIn(present['failMessages']) + news.failed,
        errors: [...listIn(present['errors']), ...news.errors].slice(-MOST_ERRORS),
        ...(news.deadLetters.length > 0
          ? { deadLetters: [...listIn(present['deadLetters']), ...news.deadLetters].slice(-MOST_LETTERS) }
          : {}),
      }
    : {}
  const conditions = verdict ? { conditions: conditionsWith(listIn(present['conditions']), verdict, now) } : {}
  const next = { ...present, ...counts, ...conditions }
  return isDeepStrictEqual(next, present) ? undefined : next
}

/** Whether the rule does not say so yet. */
export function isNews({ status }: Rule, { accepted, reason }: Verdict): boolean {
  const condition = listIn(status?.['conditions']).filter(isRecord).find(isAccepted)
  return condition?.['status'] !== (accepted ? 'True' : 'False') || condition['reason'] !== reason
}

function conditionsWith(present: readonly JsonObject[], verdict: Verdict, now: number): readonly JsonObject[] {
  const status = verdict.accepted ? 'True' : 'False'
  const before = present.find(isAccepted)
  const since = before?.['status'] === status ? before['lastTransitionTime'] : undefined
  const message = verdict.message.slice(0, 1000)
  const lastTransitionTime = since ?? `${new Date(now).toISOString().slice(0, 19)}Z`
  const condition = { type: 'Accepted', status, reason: verdict.reason, message, lastTransitionTime }
  return [...present.filter((each) => !isAccepted(each)), condition]
}

function isAccepted(condition: Readonly<Record<string, unknown>>): boolean {
  return condition['type'] === 'Accepted'
}

function numberIn(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

function listIn(value: unknown): readonly JsonObject[]
function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
