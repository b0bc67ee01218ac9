"""A small, complete case type for tests: conditional fields, a group, gates, a route, branches, papers, clocks."""

from pathlib import Path

FILES = {
    "case_type.yaml": """
key: tree_permit
title: 占用绿地许可
short: 占绿许可
group: 测试事项
edition: {from: 2026-01-01, until: null}
basis: [测试依据]
owner: 测试处
audience: enterprise
started_by: [applicant]
scope: district
title_from: "{project_name}"
draft_prefix: TP
number: {series: tree_permit, pattern: "测绿〔{year}〕{seq:5}号", given_on: {step: window, action: accept}}
asks_on_start: []
clocks:
  - {key: promise, label: 承诺时限, days: 10, counting: working, light: deadline_light, legal_days: 20, warning_days: 3}
guide: {who: 建设单位, conditions: [有项目], fee: 不收费, result: 许可证, window: 测试窗口, phone: 021-0000}
list: {columns: [project_name, area], default_sort: -submitted_at}
functions: []
""",
    "form.yaml": """
sections:
  - key: project
    label: 项目
    fields:
      - {key: project_name, label: 项目名称, type: text, required: true, search: true}
      - {key: district, label: 行政区, type: district, required: true, search: true}
      - {key: area, label: 占用面积, type: area, required: true, min: "0.01", search: true}
      - {key: cuts_trees, label: 是否砍伐树木, type: boolean, required: true}
      - {key: tree_count, label: 树木株数, type: integer, min: "1", required_when: {fact: cuts_trees, is: true}, visible_when: {fact: cuts_trees, is: true}, search: true}
      - {key: start_on, label: 开工日期, type: date, search: true}
  - key: plants
    label: 补植
    repeat: {min: 0, max: 3, item: 补植点, add: 再加一处}
    fields:
      - {key: place, label: 位置, type: text, required: true}
      - {key: count, label: 株数, type: integer, required: true, min: "1"}
  - key: check
    label: 踏勘
    editable_in: [review]
    shown_in: [review, garden, traffic, sign]
    fields:
      - {key: visited, label: 是否踏勘, type: boolean, required: true}
""",
    "workflow.yaml": """
start: apply
steps:
  - key: apply
    label: 申报
    role: applicant
    scope: applicant
    operations: [withdraw]
    actions:
      - {key: submit, label: 提交申请, style: main, opinion: none, to: window, decides: [tree_limit], public: true}
  - key: window
    label: 收件
    role: window
    scope: district
    clock: {days: 1, counting: working}
    operations: [return, correct, transfer, assist, countersign, suspend, terminate, withdraw]
    return_to: [applicant]
    actions:
      - {key: accept, label: 受理, style: main, to: review, clocks: {start: promise}, documents: [acceptance], public: true}
      - {key: refuse, label: 不予受理, style: bad, opinion: required, to: "end:refused", public: true}
  - key: review
    label: 审核
    role: reviewer
    scope: district
    operations: [return, transfer, assist, countersign, suspend, terminate]
    return_to: [previous, applicant, any]
    actions:
      - {key: pass, label: 送会办, style: main, opinion: required, to: [garden, traffic]}
      - key: quick
        label: 按面积分流
        opinion: required
        route: {ask: tree_route, outcomes: {small: sign}, otherwise: garden}
  - key: garden
    label: 绿化会办
    role: section_chief
    scope: district
    actions: [{key: agree, label: 同意, style: main, opinion: required, to: sign}]
  - key: traffic
    label: 交通会办
    role: pre_reviewer
    scope: district
    actions: [{key: agree, label: 同意, style: main, opinion: required, to: sign}]
  - key: sign
    label: 签发
    role: approver
    scope: district
    join: all
    actions:
      - {key: grant, label: 准予许可, style: main, opinion: required, to: "end:granted", documents: [permit], public: true}
      - {key: deny, label: 不予许可, style: bad, opinion: required, to: "end:refused", public: true}
""",
    "documents.yaml": """
materials:
  - {key: plan, label: 平面图, required: true, formats: [pdf, png], max_mb: 1, collected_in: [apply]}
  - {key: photo, label: 现场照片, formats: [png, jpg], max_mb: 1, many: true, collected_in: [apply, review]}
documents:
  - key: acceptance
    label: 受理通知书
    template: notice
    number: {series: tree_acceptance, pattern: "测受〔{year}〕{seq:4}号"}
    public: true
    issuer: 测试局
    addressee: "{applicant_name}"
    paragraphs: ["你单位申请的{project_name}，占用面积{area:area}，予以受理。"]
  - key: permit
    label: 占用绿地许可证
    template: permit
    number: {series: tree_paper, pattern: "测证〔{year}〕{seq:4}号"}
    public: true
    issuer: 测试局
    addressee: "{applicant_name}"
    rows: [{label: 面积, value: "{area:area}"}]
  - key: correction_notice
    label: 补正通知书
    template: notice
    issued_on: correction
    public: true
    issuer: 测试局
    addressee: "{applicant_name}"
    paragraphs: ["请补正：{items}。"]
""",
    "cases.yaml": "journeys: []\n",
    "rules/tree_limit.yaml": """
key: tree_limit
title: 占用面积上限
kind: admission
edition: {from: 2026-01-01, until: null}
facts:
  area: {type: decimal, unit: m2, label: 占用面积}
parameters:
  most: {value: "1000", unit: m2, label: 面积上限, basis: 测试依据}
rules:
  - key: too_large
    basis: 测试依据
    when: {fact: area, above: {param: most}}
    then: {outcome: deny, message: "占用面积 {area} 超过上限 {most}，不能申请"}
cases:
  - {name: 等于上限, on: 2026-06-30, given: {area: "1000"}, expect: {outcome: none}}
  - {name: 略低, on: 2026-06-30, given: {area: "999.99"}, expect: {outcome: none}}
  - {name: 略高, on: 2026-06-30, given: {area: "1000.01"}, expect: {outcome: deny, rule: too_large}}
""",
    "rules/tree_route.yaml": """
key: tree_route
title: 按面积分流
kind: routing
edition: {from: 2026-01-01, until: null}
facts:
  area: {type: decimal, unit: m2, label: 占用面积}
rules:
  - key: small
    basis: 测试依据
    when: {fact: area, below: 100}
    then: {outcome: route, route: small, message: "面积 {area}，直接签发"}
cases:
  - {name: 小, on: 2026-06-30, given: {area: "99.99"}, expect: {outcome: route, rule: small}}
  - {name: 等于, on: 2026-06-30, given: {area: "100"}, expect: {outcome: none}}
  - {name: 大, on: 2026-06-30, given: {area: "100.01"}, expect: {outcome: none}}
""",
}


def write(folder: Path) -> Path:
    """Write the case type below a folder; the folder of case types is returned."""
    for name, text in FILES.items():
        path = folder / "tree_permit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
