#include "config.h"

#include "model/seed-worth.h"

bool
ferry_seed_is_worth(const FerrySeedWorth *worth)
{
    return worth->link_bytes_s > 0 &&
           worth->image_bytes / FERRY_SEED_WORTH_S >= worth->link_bytes_s &&
           worth->again_bytes < worth->image_bytes / 2;
}
