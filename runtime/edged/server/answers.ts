import type { ServerResponse } from 'node:http'
import { sendText } from '../../../platform/http/index.ts'

/** What a kubelet says instead: plain text, in its words, with its status. */
export class KubeletRefusal extends Error {
  override readonly name = 'KubeletRefusal'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export function sendRefusal(response: ServerResponse, { status, message }: KubeletRefusal): void {
  sendText(response, status, 'text/plain; charset=utf-8', `${message}\n`)
}
