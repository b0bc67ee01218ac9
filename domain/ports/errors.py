"""How an exchange with an outside system can fail: it is down, it refuses, or its answer is unusable."""

from dataclasses import dataclass

from domain import errors
from domain.ports.partner import Partner


@dataclass(frozen=True, slots=True)
class Rejection:
    """One reason that a partner gave for refusing, with the file and field it means where it names them."""

    code: str
    text: str
    file: str | None = None
    field: str | None = None


class OutsideSystemError(errors.PortalError):
    """Any failed exchange with a partner; `correlation_id` finds it in the logs of both sides."""

    status = 503

    def __init__(self, partner: Partner, message: str, correlation_id: str | None = None) -> None:
        super().__init__(message)
        self.partner = partner
        self.correlation_id = correlation_id


class OutsideSystemDown(OutsideSystemError, errors.OutsideSystemDown):
    """The partner could not be reached, broke off, was too slow or answered with a server error.

    `effect_unknown` is true once the request was sent: the partner may have acted on it, so it may only be
    sent again under the same business key.
    """

    def __init__(
        self, partner: Partner, reason: str, *, effect_unknown: bool, correlation_id: str | None = None
    ) -> None:
        if effect_unknown:
            advice = "对方可能已经收到，请用同一业务主键重发"
        else:
            advice = "请稍后重发，或联系对方确认服务是否可用"
        super().__init__(partner, f"{partner.label}没有正常应答：{reason}。{advice}。", correlation_id)
        self.reason = reason
        self.effect_unknown = effect_unknown


class PartnerRefused(OutsideSystemError):
    """The partner understood the request and declined it; sending the same again gives the same answer."""

    status = 422

    def __init__(
        self,
        partner: Partner,
        code: str,
        text: str,
        rejections: tuple[Rejection, ...] = (),
        correlation_id: str | None = None,
    ) -> None:
        ending = "" if text.endswith(("。", "；")) else "。"
        message = f"{partner.label}不予受理（{code}）：{text}{ending}请按对方说明更正后重新办理。"
        super().__init__(partner, message, correlation_id)
        self.code = code
        self.text = text
        self.rejections = rejections


class PartnerAnswerInvalid(OutsideSystemError):
    """The partner answered something that does not follow the agreed form; `field` names the first fault."""

    def __init__(self, partner: Partner, field: str, fault: str, correlation_id: str | None = None) -> None:
        message = f"{partner.label}的应答不符合约定：{field} {fault}。未采用该应答，请联系对方核对接口。"
        super().__init__(partner, message, correlation_id)
        self.field = field
        self.fault = fault


class CallbackRefused(OutsideSystemError):
    """A message pushed to us was not accepted: unsigned, wrongly signed or outside the replay window.

    The route answers 401 and stores nothing. `reason` is one of `missing_header`, `unknown_key`, `stale`,
    `bad_signature`.
    """

    status = 401

    def __init__(self, partner: Partner, reason: str, fault: str) -> None:
        super().__init__(partner, f"未接收自称来自{partner.label}的推送：{fault}。请核对双方的密钥和时钟。")
        self.reason = reason
