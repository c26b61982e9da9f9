/** Why a request is not done, as RFC 9457 has it. */
export interface Problem {
  readonly status: number
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>>
  /** Beside the standard members. */
  readonly extra?: Readonly<Record<string, unknown>>
}

export class ProblemError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

export function problem(status: number, detail: string, more: Omit<Problem, 'status' | 'detail'> = {}): ProblemError {
  return new ProblemError({ status, detail, ...more })
}
