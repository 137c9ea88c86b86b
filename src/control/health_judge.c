#include "control/health_judge.h"

#include "script/vm_health.h"

#include <stdio.h>

struct health_judgement health_judge(struct vm *vm, const char *policy, const struct health_facts *facts,
                                     const struct health_judgement *before, bool *judged)
{
    struct health_judgement answer = *before;
    bool passed = !facts->error;

    if (facts->history.count > 1 && vm_judge(vm, policy, facts, &answer)) {
        *judged = true;
    } else if (!*judged || vm_policy_off(vm, policy)) {
        answer.answer = health_history_judge(&facts->history, facts->state);
        answer.share = answer.answer == HEALTH_ANSWER_HEALTHY ? 1 : 0;
        if (answer.answer == HEALTH_ANSWER_HEALTHY || !passed)
            answer.reason[0] = '\0';
    }
    if (answer.answer != HEALTH_ANSWER_HEALTHY && !answer.reason[0] && !passed)
        snprintf(answer.reason, sizeof(answer.reason), "%s", facts->error);
    return answer;
}
